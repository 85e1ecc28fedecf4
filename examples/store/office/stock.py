"""Reports on the stock: in the first version stones by category, in the second also what they are worth."""

from datetime import datetime
from typing import Annotated

from ferrapi import APIRouter, Depends

from ..dependencies import DatabaseDep, SettingsDep
from ..schemas import Category, FromRow, Total
from .access import staff
from .statistics import Figures, StatisticsDep

router = APIRouter(prefix="/stock", tags=["reports"], dependencies=[Depends(staff)])


class CategoryOut(FromRow):
    """The stock of one category."""

    category: Category
    products: int
    stones: int
    value: Total


class StockReport(FromRow):
    """The whole stock."""

    counted_at: datetime
    categories: list[CategoryOut]


async def get_figures(statistics: StatisticsDep, database: DatabaseDep, settings: SettingsDep) -> Figures:
    """Returns figures that are as new as the settings want them."""
    return await statistics.current(database, settings.report_age)


FiguresDep = Annotated[Figures, Depends(get_figures)]


@router.get("", summary="Count stones", versions="1")
async def count_stones(figures: FiguresDep) -> dict[Category, int]:
    """Says how many stones there are of each category."""
    return {Category(one.category): one.stones for one in figures.categories}


@router.get("", summary="Report the stock", versions=">=2", response_model=StockReport)
async def report_stock(figures: FiguresDep) -> Figures:
    """Says how many products and stones there are of each category, and what they are worth at today's prices."""
    return figures
