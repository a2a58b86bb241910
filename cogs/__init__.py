"""What people type and press in Discord."""
