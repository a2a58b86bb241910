"""Making and measuring clips and audio files."""
