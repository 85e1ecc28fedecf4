"""What the applications and the tests that look at them have in common."""

POLICY = "default-src 'self'"
PREFIX = "/api/v1"
PASSWORD = "a password"
AWKWARD = """</template><script>'"\\ Infinity ${1} &amp; \u2028 \U0001f600,"""
