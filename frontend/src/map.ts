import * as L from "leaflet";
import type { Feature, FeatureCollection, MultiPolygon } from "geojson";
import { say } from "./language";

// The coverage map: shapes without tiles, coloured by what the page's table says, which is there without any of this.

interface Area {
  code: string;
  name: string;
  short: string;
  label: string;
  shade: string;
  detail: string;
  href: string;
}

interface About {
  code: string;
  at?: [number, number];
}

type Shape = Feature<MultiPolygon, About>;

// Pixels of width: of the map from which anything is written into it, of a shape for its number and for its name.
const LABELS_FROM = 600;
const NUMBERS_FROM = 14;
const NAMES_FROM = 52;

async function draw(box: HTMLElement): Promise<void> {
  const areas = new Map((JSON.parse(box.dataset.areas ?? "[]") as Area[]).map((area) => [area.code, area]));
  const here = box.dataset.here ?? "";
  const answer = await fetch(box.dataset.shapes ?? "");
  if (!answer.ok) throw new Error(`${answer.status}`);
  const shapes = (await answer.json()) as FeatureCollection<MultiPolygon, About>;
  box.replaceChildren();
  const map = L.map(box, {
    attributionControl: false, zoomControl: false, scrollWheelZoom: false, zoomSnap: 0.25, zoomDelta: 0.5, minZoom: 2,
    // One finger scrolls the page; two move the map.
    dragging: !matchMedia("(pointer: coarse)").matches,
  });
  L.control.zoom({ zoomInTitle: say("放大", "Zoom in"), zoomOutTitle: say("缩小", "Zoom out") }).addTo(map);
  const layer = L.geoJSON(shapes, {
    style: (shape) => {
      const area = shape && areas.get(shape.properties.code);
      const chosen = shape && here.startsWith(shape.properties.code) && here !== "" ? " area-here" : "";
      return { className: `area ${area ? area.shade : "area-unknown"}${chosen}`, weight: 1 };
    },
    onEachFeature: (shape, drawn) => tell(shape as Shape, drawn as L.Polygon, areas),
  }).addTo(map);
  const bounds = layer.getBounds();
  map.fitBounds(bounds, { padding: [6, 6] });
  map.setMaxBounds(bounds.pad(0.4));
  if (box.clientWidth >= LABELS_FROM) label(map, layer, areas);
  box.dataset.drawn = String(shapes.features.length);
}

function tell(shape: Shape, drawn: L.Polygon, areas: Map<string, Area>): void {
  const area = areas.get(shape.properties.code);
  if (!area) return;
  const words = document.createElement("span");
  const name = document.createElement("strong");
  name.textContent = area.name;
  words.append(name, document.createElement("br"), area.detail);
  drawn.bindTooltip(words, { sticky: true });
  if (area.href) drawn.on("click", () => location.assign(area.href));
}

/** Write name and number into every area, the number alone where the name would not fit; of several shapes once. */
function label(map: L.Map, layer: L.GeoJSON, areas: Map<string, Area>): void {
  const largest = new Map<string, { drawn: L.Polygon; width: number }>();
  layer.eachLayer((one) => {
    const drawn = one as L.Polygon;
    const { code } = (drawn.feature as Shape).properties;
    const box = drawn.getBounds();
    const width = map.latLngToLayerPoint(box.getSouthEast()).x - map.latLngToLayerPoint(box.getNorthWest()).x;
    if (width > (largest.get(code)?.width ?? 0)) largest.set(code, { drawn, width });
  });
  for (const [code, { drawn, width }] of largest) {
    const area = areas.get(code);
    if (!area || width < NUMBERS_FROM) continue;
    const words = document.createElement("span");
    words.textContent = width < NAMES_FROM ? area.label : `${area.short} ${area.label}`;
    const icon = L.divIcon({ className: "area-label", html: words, iconSize: [90, 16] });
    const { at } = (drawn.feature as Shape).properties;
    const place: L.LatLngExpression = at ? [at[1], at[0]] : drawn.getCenter();
    L.marker(place, { icon, interactive: false, keyboard: false }).addTo(map);
  }
}

for (const box of document.querySelectorAll<HTMLElement>("[data-shapes]")) {
  draw(box).catch(() => {
    box.textContent = say("地图没有载入；旁边的表格内容相同。", "The map did not load; the table says the same.");
  });
}
