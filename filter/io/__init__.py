"""Reading inputs and writing outputs: files, folders, JSON lines, receipts, labelled lines."""
