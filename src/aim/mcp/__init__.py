"""What programs that speak the Model Context Protocol may ask of a repository, and how it is served."""
