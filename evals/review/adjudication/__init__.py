"""Where two annotators differ: disagreements, decisions with reasons, the gold that follows from them."""
