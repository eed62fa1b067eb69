// Charts of figures: a bundle of its own, loaded only by pages that have one. The numbers also stand in tables there.
import { BarChart, LineChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import { init, use, type ECharts } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([BarChart, LineChart, AriaComponent, GridComponent, LegendComponent, TooltipComponent, CanvasRenderer]);

interface Line {
  name: string;
  values: (number | null)[];
  kind: "line" | "bar";
}

interface Chart {
  says: string;
  names: string[];
  lines: Line[];
  unit: string;
  lying: boolean;
}

// Told apart by whoever does not see red and green (Okabe and Ito); each line has its own symbol besides.
const LIGHT = ["#0072b2", "#d55e00", "#007f5f", "#b3588f"];
const DARK = ["#56b4e9", "#e69f00", "#2fc39a", "#e39bc6"];
// The page's own colours are functions (`light-dark(…)`), which a canvas cannot read.
const BY_DAY = { text: "#374151", line: "#e2e5ea", paper: "#ffffff" };
const AT_NIGHT = { text: "#d7dde5", line: "#3b4452", paper: "#1f2937" };
const SYMBOLS = ["circle", "rect", "triangle", "diamond"];

function option(chart: Chart, holder: HTMLElement): Parameters<ECharts["setOption"]>[0] {
  const dark = document.documentElement.dataset.bsTheme === "dark";
  const { text, line, paper } = dark ? AT_NIGHT : BY_DAY;
  const named = { type: "category" as const, data: chart.names, inverse: chart.lying,
    axisLabel: { color: text, hideOverlap: !chart.lying, overflow: "truncate" as const, width: chart.lying ? 130 : undefined },
    axisLine: { lineStyle: { color: line } }, axisTick: { show: false } };
  const counted = { type: "value" as const, minInterval: 1, max: chart.unit === "%" ? 100 : undefined,
    axisLabel: { color: text, formatter: `{value}${chart.unit}` }, splitLine: { lineStyle: { color: line } } };
  return {
    animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    animationDuration: 200,
    color: dark ? DARK : LIGHT,
    textStyle: { fontFamily: getComputedStyle(holder).fontFamily, color: text },
    aria: { enabled: true, label: { description: chart.says } },
    grid: { left: 12, right: 20, top: chart.lines.length > 1 ? 40 : 16, bottom: 8, containLabel: true },
    legend: { show: chart.lines.length > 1, top: 4, textStyle: { color: text } },
    // Drawn on the canvas: a box of HTML would carry inline styles, which the page's policy forbids.
    tooltip: { trigger: "axis", renderMode: "richText", confine: true, backgroundColor: paper, borderColor: line,
      textStyle: { color: text }, valueFormatter: (value: unknown) => (value === null || value === undefined ? "—" : `${value}${chart.unit}`) },
    xAxis: chart.lying ? counted : named,
    yAxis: chart.lying ? named : counted,
    series: chart.lines.map((one, place) => ({
      name: one.name,
      type: one.kind,
      data: one.values,
      symbol: SYMBOLS[place % SYMBOLS.length],
      symbolSize: 7,
      showSymbol: one.values.length <= 45,
      connectNulls: false,
      barMaxWidth: 28,
      barGap: "10%",
    })),
  } as Parameters<ECharts["setOption"]>[0];
}

function draw(holder: HTMLElement): void {
  const chart = JSON.parse(holder.dataset.chart ?? "null") as Chart | null;
  if (!chart) return;
  const label = holder.getAttribute("aria-label") ?? chart.says;
  const drawn = init(holder, undefined, { renderer: "canvas" });
  const again = () => {
    drawn.setOption(option(chart, holder), true);
    holder.setAttribute("aria-label", label);
  };
  again();
  new ResizeObserver(() => drawn.resize()).observe(holder);
  new MutationObserver(again).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  addEventListener("beforeprint", () => drawn.resize());
  holder.dataset.drawn = "yes";
}

document.querySelectorAll<HTMLElement>("[data-chart]").forEach(draw);
