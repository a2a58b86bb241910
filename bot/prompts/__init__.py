"""What is sent for a person's prompt: their words, and what a video model needs beside them."""
