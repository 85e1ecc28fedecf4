"""slowapi: limits by decorator and by middleware."""

from asking import ask
from fastapi import APIRouter, FastAPI, Request, Response
from slowapi import Limiter, _rate_limit_exceeded_handler
from slowapi.errors import RateLimitExceeded
from slowapi.middleware import SlowAPIMiddleware
from slowapi.util import get_remote_address

limiter = Limiter(key_func=get_remote_address, default_limits=["3/minute"])
app = FastAPI()
app.state.limiter = limiter
app.add_exception_handler(RateLimitExceeded, _rate_limit_exceeded_handler)
app.add_middleware(SlowAPIMiddleware)
router = APIRouter(prefix="/included")


@app.get("/twice")
@limiter.limit("2/minute")
async def twice(request: Request, response: Response, n: int = 1) -> int:
    return n


@router.get("/default")
def default() -> str:
    return "default"


app.include_router(router)
ask(app, *[("GET", "/twice?n=2")] * 3, *[("GET", "/included/default")] * 5, ("GET", "/twice?n=x"))
