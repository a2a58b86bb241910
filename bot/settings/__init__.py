"""The operator's settings: reads them once, checks them and explains each error."""
