"""The back office: what the shop's staff does with the whole catalogue, with ferrapi's own means (see the README)."""
