"""The checks that concern the owner's decisions, such as a pause of new orders."""
