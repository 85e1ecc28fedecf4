"""What the shop does beside answering: sessions of accounts, notices, e-mail, the order feed, limits and metrics."""
