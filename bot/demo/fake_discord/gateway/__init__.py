"""The gateway of the fake Discord, and the interactions of its users."""
