"""Who may do what in the office: rules about the store's customers and their roles."""

from collections.abc import Sequence
from typing import Annotated

from ferrapi import Depends
from ferrapi.security import RequireRoles, any_of

from ..dependencies import CurrentCustomer, SessionDep
from ..models import Customer, Role


async def get_member(customer: CurrentCustomer, session: SessionDep) -> Customer:
    """Returns the token's customer, and gives the session's connection back to the pool.

    Rules are asked before the body is read, and an upload may take minutes to arrive: nothing is held meanwhile.
    """
    await session.commit()
    return customer


def roles_of(customer: Customer) -> Sequence[str]:
    """Returns the roles of an account, which has one."""
    return [customer.role]


admin = RequireRoles(Role.ADMIN, user=get_member, roles_of=roles_of)
staff = any_of(RequireRoles(Role.CLERK, roles_of=roles_of), admin, user=get_member)

Admin = Annotated[Customer, Depends(admin)]
