"""Tables that delivery to Discord uses."""
