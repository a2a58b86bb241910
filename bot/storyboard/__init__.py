"""The embedded renderer: a small Videos API server that draws title cards."""
