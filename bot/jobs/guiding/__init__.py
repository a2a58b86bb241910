"""Decides whether a narration goes along with a create request, and prepares its sound."""
