"""The views of the compare screen: what each reads from the store, its rows, its drawings, and where a row leads."""
