"""Paints the pictures behind the text: places in changing light, chosen by the prompt's words."""
