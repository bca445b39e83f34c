"""From the text of a query to the runs and sequences it means. Knows columns; knows no disk and no SDK class."""
