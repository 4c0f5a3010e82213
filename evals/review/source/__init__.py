"""The left side: the source of a document as text, tables and pages, read in processes of their own."""
