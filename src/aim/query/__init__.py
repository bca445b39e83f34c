"""From the text of a query to the matching runs and sequences, over columns. Imports neither storage nor the SDK."""
