"""Security schemes: dependencies that take credentials out of a request and describe themselves in the document.

Each is an object to be used in `Depends` or `Security`. They find credentials; whether those are valid is the
application's to decide. Without credentials the request ends with 401 and a `WWW-Authenticate` challenge, or, with
`auto_error=False`, the dependency's value is None.
"""

from .api_key import APIKeyCookie as APIKeyCookie
from .api_key import APIKeyHeader as APIKeyHeader
from .api_key import APIKeyQuery as APIKeyQuery
from .http import HTTPAuthorizationCredentials as HTTPAuthorizationCredentials
from .http import HTTPBasic as HTTPBasic
from .http import HTTPBasicCredentials as HTTPBasicCredentials
from .http import HTTPBearer as HTTPBearer
from .http import HTTPDigest as HTTPDigest
from .oauth2 import OAuth2 as OAuth2
from .oauth2 import OAuth2AuthorizationCodeBearer as OAuth2AuthorizationCodeBearer
from .oauth2 import OAuth2PasswordBearer as OAuth2PasswordBearer
from .oauth2 import OAuth2PasswordRequestForm as OAuth2PasswordRequestForm
from .oauth2 import OAuth2PasswordRequestFormStrict as OAuth2PasswordRequestFormStrict
from .oauth2 import SecurityScopes as SecurityScopes
from .open_id_connect_url import OpenIdConnect as OpenIdConnect
from .rules import AccessRule as AccessRule
from .rules import RequireRoles as RequireRoles
from .rules import RequireScopes as RequireScopes
from .rules import all_of as all_of
from .rules import any_of as any_of
