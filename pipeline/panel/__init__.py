"""Records of one or several runs as a panel: issuers, places and years."""
