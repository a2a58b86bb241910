"""The command `/narrate`, and the button that makes a video with its answer."""
