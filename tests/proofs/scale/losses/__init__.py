"""Takes one part of a fleet away at a time, and judges from outside what became of every order."""
