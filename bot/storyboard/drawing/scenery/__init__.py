"""Paints the pictures behind the text.

They show places in different lights. The words in the prompt choose the place.
"""
