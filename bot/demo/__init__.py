"""The demo, which makes one video without any account."""
