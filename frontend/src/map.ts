import * as L from "leaflet";
import type { Feature, FeatureCollection, MultiPolygon } from "geojson";
import { say } from "./language";

// The coverage map: shapes without tiles, coloured by what the page's table says, which is there without any of this.

interface Area {
  code: string;
  name: string;
  label: string;
  shade: string;
  detail: string;
  href: string;
}

type Shape = Feature<MultiPolygon, { code: string }>;

const LABELS_FROM = 700; // pixels of width from which names fit into the shapes

async function draw(box: HTMLElement): Promise<void> {
  const areas = new Map((JSON.parse(box.dataset.areas ?? "[]") as Area[]).map((area) => [area.code, area]));
  const here = box.dataset.here ?? "";
  const answer = await fetch(box.dataset.shapes ?? "");
  if (!answer.ok) throw new Error(`${answer.status}`);
  const shapes = (await answer.json()) as FeatureCollection<MultiPolygon, { code: string }>;
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
  if (box.clientWidth >= LABELS_FROM) label(layer, areas);
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

/** Write the number into every area that is large enough for it; of several shapes of one area into the largest. */
function label(layer: L.GeoJSON, areas: Map<string, Area>): void {
  const largest = new Map<string, { drawn: L.Polygon; size: number }>();
  layer.eachLayer((one) => {
    const drawn = one as L.Polygon;
    const code = (drawn.feature as Shape).properties.code;
    const box = drawn.getBounds();
    const size = (box.getEast() - box.getWest()) * (box.getNorth() - box.getSouth());
    if (size > (largest.get(code)?.size ?? 0)) largest.set(code, { drawn, size });
  });
  for (const [code, { drawn }] of largest) {
    const area = areas.get(code);
    if (!area) continue;
    const words = document.createElement("span");
    words.textContent = area.label;
    const icon = L.divIcon({ className: "area-label", html: words, iconSize: [40, 16] });
    L.marker(drawn.getCenter(), { icon, interactive: false, keyboard: false }).addTo(
      (layer as unknown as { _map: L.Map })._map,
    );
  }
}

for (const box of document.querySelectorAll<HTMLElement>("[data-shapes]")) {
  draw(box).catch(() => {
    box.textContent = say("地图没有载入；旁边的表格内容相同。", "The map did not load; the table says the same.");
  });
}
