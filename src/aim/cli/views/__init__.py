"""What the views of the terminal draw: curves of dots, tables that follow, one screen after the other."""
