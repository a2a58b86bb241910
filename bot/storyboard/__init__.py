"""The embedded renderer: a small server with OpenAI's Videos API that draws title cards."""
