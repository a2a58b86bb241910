"""The tables about access: the settings of servers and of the operator, and their audit."""
