"""For those who watch the service: its measures, behind HTTP Basic."""

from ferrapi import APIRouter, Depends, Response
from prometheus_client import CONTENT_TYPE_LATEST

from ..dependencies import ShopDep, require_operations

router = APIRouter(tags=["operations"], dependencies=[Depends(require_operations)])


@router.get(
    "/metrics",
    summary="Measures for Prometheus",
    response_class=Response,
    responses={401: {"description": "The credentials of the settings are needed"}},
)
async def read_metrics(shop: ShopDep) -> Response:
    """Returns requests by route, orders, e-mail and open feeds in Prometheus' text format."""
    return Response(shop.metrics.text(), media_type=CONTENT_TYPE_LATEST)
