"""strawberry: a GraphQL router with a context that has dependencies of its own."""

import strawberry
from asking import ask
from fastapi import Depends, FastAPI, Header, Request
from strawberry.fastapi import BaseContext, GraphQLRouter


class Context(BaseContext):
    def __init__(self, user: str) -> None:
        super().__init__()
        self.user = user


def context(x_user: str = Header("nobody")) -> Context:
    return Context(x_user)


async def dictionary(request: Request = None, page: int = 1) -> dict[str, int]:
    return {"page": page}


@strawberry.type
class Query:
    @strawberry.field
    def user(self, info: strawberry.Info) -> str:
        return info.context.user if isinstance(info.context, Context) else str(info.context["page"])


schema = strawberry.Schema(Query)
app = FastAPI()
app.include_router(GraphQLRouter(schema, context_getter=context), prefix="/graphql")
app.include_router(GraphQLRouter(schema, context_getter=dictionary, dependencies=[Depends(context)]), prefix="/other")
question = {"query": "{ user }"}
ask(
    app,
    ("POST", "/graphql", {"json": question, "headers": {"x-user": "me"}}),
    ("GET", "/graphql?query={user}"),
    ("POST", "/other?page=3", {"json": question}),
    ("POST", "/other?page=x", {"json": question}),
    ("POST", "/graphql", {"json": {"query": "{ nothing }"}}),
    ("POST", "/graphql", {"content": "x"}),
)
