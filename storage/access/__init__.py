"""The tables of who may order: the settings of servers and of the operator, and their audit."""
