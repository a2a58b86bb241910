"""The embedded renderer: a small server that offers OpenAI's Videos API and draws title cards."""
