"""The tabs: what each is made of."""
