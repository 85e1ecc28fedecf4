"""titiler.core: the endpoints of a tiler over a small picture, whose dependencies are classes."""

import tempfile
from pathlib import Path

import numpy
import rasterio
from asking import ask
from fastapi import FastAPI
from rasterio.transform import from_bounds
from titiler.core.errors import DEFAULT_STATUS_CODES, add_exception_handlers
from titiler.core.factory import AlgorithmFactory, ColorMapFactory, TilerFactory, TMSFactory
from titiler.core.middleware import CacheControlMiddleware

app = FastAPI()
app.include_router(TilerFactory(router_prefix="/cog").router, prefix="/cog")
app.include_router(TMSFactory().router)
app.include_router(AlgorithmFactory().router)
app.include_router(ColorMapFactory().router)
app.add_middleware(CacheControlMiddleware, cachecontrol="public, max-age=3600")
add_exception_handlers(app, DEFAULT_STATUS_CODES)


@app.get("/ping")
def ping() -> str:
    return "pong"


file = Path(tempfile.gettempdir()) / "ferrapi-tiles.tif"
shape = {"driver": "GTiff", "height": 64, "width": 64, "count": 1, "dtype": "uint8", "crs": "EPSG:4326"}
with rasterio.open(file, "w", transform=from_bounds(-10, 40, 10, 60, 64, 64), **shape) as picture:
    picture.write(numpy.arange(64 * 64, dtype="uint32").reshape(1, 64, 64).astype("uint8"))
try:
    ask(
        app,
        ("GET", "/ping"),
        *(
            ("GET", path.replace("URL", f"url={file}"))
            for path in (
                "/cog/info?URL",
                "/cog/info",
                "/cog/info.geojson?URL",
                "/cog/statistics?URL",
                "/cog/statistics?URL&bidx=1&c=true&p=x",
                "/cog/point/0,50?URL",
                "/cog/point/x,50?URL",
                "/cog/point/80,50?URL",
                "/cog/preview.npy?URL&max_size=4",
                "/cog/preview.png?URL&max_size=x",
                "/cog/bbox/-5,45,5,55.npy?URL&width=4&height=4",
                "/cog/tiles/WebMercatorQuad/4/8/5.npy?URL&rescale=0,100",
                "/cog/tiles/WebMercatorQuad/4/0/0?URL",
                "/cog/tiles/Nowhere/4/8/5?URL",
                "/cog/WebMercatorQuad/tilejson.json?URL&minzoom=1&colormap_name=viridis",
                "/cog/WebMercatorQuad/tilejson.json?URL&colormap_name=nothing",
                "/cog/WebMercatorQuad/WMTSCapabilities.xml?URL",
                "/tileMatrixSets",
                "/tileMatrixSets/WebMercatorQuad",
                "/algorithms",
                "/algorithms/hillshade",
                "/colorMaps/viridis?f=png",
                "/nothing",
            )
        ),
        ("POST", "/cog/statistics", {"params": {"url": str(file)}, "json": {"type": "Feature"}}),
        (
            "POST",
            "/cog/feature.npy",
            {
                "params": {"url": str(file), "max_size": 4},
                "json": {
                    "type": "Feature",
                    "properties": {},
                    "geometry": {"type": "Polygon", "coordinates": [[[-5, 45], [5, 45], [5, 55], [-5, 45]]]},
                },
            },
        ),
    )
finally:
    file.unlink()
