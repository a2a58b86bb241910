"""`owner`: the operator's decisions about who may order."""
