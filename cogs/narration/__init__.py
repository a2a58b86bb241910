"""The command `/narrate`, and the button that orders a video with the recording."""
