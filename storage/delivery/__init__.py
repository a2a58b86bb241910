"""Tables about the delivery to Discord."""
