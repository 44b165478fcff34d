/**
 * Runs in the page and draws the charts with uPlot. The functions are put there as text, so they
 * use nothing but each other, browser globals and uPlot; imports may be of types only.
 */
/// <reference lib="dom" />
import type UPlot from 'uplot';
import type { Band, Chart, ChartData, Series } from '../chart-data.ts';

declare const uPlot: typeof UPlot;

/** The stretch of the run that all charts show, in seconds. */
interface TimeWindow {
  from: number;
  to: number;
}

/** Reads the page's data, draws every chart, and keeps them in step with each other. */
export function startCharts(): void {
  const text = document.getElementById('chart-data')?.textContent;
  if (text === null || text === undefined) return;
  const data = JSON.parse(text) as ChartData;
  const shown: TimeWindow = { from: 0, to: data.endSeconds };
  const plots: UPlot[] = [];
  const zoom = (from: number, to: number): void => {
    if (!(to > from)) return;
    shown.from = Math.max(0, from);
    shown.to = Math.min(data.endSeconds, to);
    for (const plot of plots) plot.setScale('x', { min: shown.from, max: shown.to });
    zoomLanes(shown, data.endSeconds);
    forgetChoice(shown, data.endSeconds);
  };
  for (const chart of data.charts) {
    const place = document.getElementById(`${chart.id}-plot`);
    if (place === null) continue;
    plots.push(drawChart(place, chart, data, shown, zoom));
  }
  startZoomMenu(data, zoom);
  redrawOnThemeChange(plots);
}

export function drawChart(
  place: HTMLElement,
  chart: Chart,
  data: ChartData,
  shown: TimeWindow,
  zoom: (from: number, to: number) => void,
): UPlot {
  const { bands = data.bands, stormEndSeconds = data.stormEndSeconds } = chart;
  const options: UPlot.Options = {
    width: place.clientWidth,
    height: 300,
    padding: [barsHeight(bands) + 8, 46, 0, 0],
    scales: {
      x: { time: false, range: () => [shown.from, shown.to] },
      y: scaleOf(chart),
    },
    axes: axesOf(chart),
    series: [
      { label: 'time', value: (_plot, seconds) => (seconds === null ? '–' : `${seconds} s`) },
      ...chart.series.map((series) => seriesOptions(series, chart)),
    ],
    cursor: {
      y: false,
      drag: { x: true, y: false, setScale: false, dist: 4 },
      sync: { key: 'run', setSeries: false, filters: { pub: isPlainMove } },
      bind: {
        dblclick: () => () => {
          zoom(0, data.endSeconds);
          return null;
        },
      },
    },
    legend: { markers: markersOf(chart) },
    hooks: {
      drawClear: [(plot) => drawBands(plot, bands), (plot) => drawStormEnd(plot, stormEndSeconds)],
      draw: [(plot) => nameLines(plot, chart)],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width < 4) return;
          zoom(plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x'));
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
  const values = chart.series.map((series) => [...series.values]);
  const plot = new uPlot(options, [[...chart.seconds], ...values], place);
  makeAccessible(plot, chart, place.dataset.caption ?? '');
  new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: 300 })).observe(place);
  return plot;
}

/** Other charts follow the pointer, but only the one that was dragged in decides on the zoom. */
export function isPlainMove(type: string): boolean {
  return type === 'mousemove' || type === 'mouseleave';
}

export function scaleOf({ scale, extent }: Chart): UPlot.Scale {
  if (scale === 'linear') return { range: rangeFromZero };
  if (extent === undefined) return { distr: 3, log: 10 };
  return { distr: 3, log: 10, range: [extent[0], extent[1]] };
}

export function rangeFromZero(_plot: UPlot, _least: number, most: number): [number, number] {
  return [0, most > 0 ? most * 1.1 : 1];
}

export function axesOf(chart: Chart): UPlot.Axis[] {
  const common = {
    stroke: () => colour('quiet'),
    grid: { stroke: () => colour('grid'), width: 1 },
    ticks: { stroke: () => colour('line'), width: 1 },
    font: '12px system-ui, sans-serif',
  };
  const isDecade = (value: number): boolean => Number.isInteger(Math.log10(value));
  const grid: UPlot.Axis.Grid =
    chart.scale === 'log'
      ? { ...common.grid, filter: (_plot, splits) => splits.map((v) => (isDecade(v) ? v : null)) }
      : common.grid;
  const unit = (value: number | null): string => {
    if (value === null) return '';
    if (chart.unit === '/s') return value < 1000 ? `${value}/s` : `${value / 1000}k/s`;
    if (value >= 1000) return `${value / 1000} s`;
    return value >= 1 ? `${value} ms` : `${Math.round(value * 1e6) / 1e3} µs`;
  };
  return [
    { ...common, values: (_plot, splits) => splits.map((seconds) => `${seconds} s`), size: 32 },
    { ...common, grid, values: (_plot, splits) => splits.map(unit), size: 62 },
  ];
}

export function seriesOptions(series: Series, chart: Chart): UPlot.Series {
  const { label, look } = series;
  const stroke = (): string => colour(series.colour);
  const value = (_plot: UPlot, amount: number | null): string =>
    amount === null ? '–' : `${amount} ${chart.unit}`;
  if (look.type === 'points') {
    return {
      label,
      value,
      stroke,
      fill: stroke,
      alpha: 0.7,
      points: { show: false },
      paths: (plot, at, from, to) => pointPaths(plot, at, from, to, look.shape),
    };
  }
  const stepped = uPlot.paths.stepped?.({ align: 1, extend: true });
  return {
    label,
    value,
    stroke,
    width: look.widthPx,
    dash: [...look.dash],
    points: look.type === 'steps' ? { show: false } : { size: 5, fill: stroke, space: 14 },
    ...(look.type === 'steps' && stepped !== undefined ? { paths: stepped } : {}),
  };
}

/** Colours are the style sheet's variables, which follow the theme by themselves. */
export function markersOf(chart: Chart): UPlot.Legend.Markers {
  const dashOf = ([on = 0]: readonly number[]): string => {
    if (on === 0) return 'solid';
    return on > 3 ? 'dashed' : 'dotted';
  };
  return {
    show: chart.series.every((series) => series.look.type !== 'points'),
    width: 2,
    stroke: (_plot, at) => `var(--${chart.series[at - 1]?.colour ?? 'quiet'})`,
    fill: () => 'transparent',
    dash: (_plot, at) => {
      const look = chart.series[at - 1]?.look;
      return look === undefined || look.type === 'points' ? 'solid' : dashOf(look.dash);
    },
  };
}

export function pointPaths(
  plot: UPlot,
  at: number,
  from: number,
  to: number,
  shape: 'circle' | 'triangle' | 'square',
): UPlot.Series.Paths {
  const path = new Path2D();
  const seconds = plot.data[0] ?? [];
  const values = plot.data[at] ?? [];
  const r = (shape === 'circle' ? 2 : 3.2) * devicePixelRatio;
  for (let i = from; i <= to; i++) {
    const value = values[i];
    if (value === null || value === undefined) continue;
    const x = plot.valToPos(seconds[i] ?? 0, 'x', true);
    const y = plot.valToPos(value, 'y', true);
    if (shape === 'circle') {
      path.moveTo(x + r, y);
      path.arc(x, y, r, 0, 2 * Math.PI);
    } else if (shape === 'square') {
      path.rect(x - r, y - r, 2 * r, 2 * r);
    } else {
      path.moveTo(x, y - r * 1.2);
      path.lineTo(x + r * 1.2, y + r);
      path.lineTo(x - r * 1.2, y + r);
      path.closePath();
    }
  }
  return { fill: path, stroke: null, flags: 3 };
}

/** Each fault as a shade behind the chart and as a numbered bar above it. */
export function drawBands(plot: UPlot, bands: readonly Band[]): void {
  const { ctx, bbox } = plot;
  const px = devicePixelRatio;
  const right = bbox.left + bbox.width;
  ctx.save();
  ctx.font = `${11 * px}px system-ui, sans-serif`;
  ctx.textBaseline = 'middle';
  for (const band of bands) {
    const clamp = (seconds: number): number =>
      Math.min(right, Math.max(bbox.left, plot.valToPos(seconds, 'x', true)));
    const [injected, inPlace, healing, healed] = band.seconds.map(clamp) as [
      number,
      number,
      number,
      number,
    ];
    if (healed <= bbox.left || injected >= right) continue;
    const fill = colour(band.colour);
    ctx.fillStyle = fill;
    ctx.strokeStyle = fill;
    ctx.globalAlpha = band.hadEffect ? 0.1 : 0.03;
    ctx.fillRect(injected, bbox.top, healed - injected, bbox.height);
    ctx.fillRect(inPlace, bbox.top, healing - inPlace, bbox.height);
    ctx.globalAlpha = 1;
    const top = bbox.top - (band.row + 1) * 15 * px;
    const width = Math.max(2 * px, healed - injected);
    if (band.hadEffect) ctx.fillRect(injected, top, width, 13 * px);
    else {
      ctx.setLineDash([4 * px, 3 * px]);
      ctx.lineWidth = 1.5 * px;
      ctx.strokeRect(injected, top, width, 13 * px);
      ctx.setLineDash([]);
    }
    const label = String(band.number);
    if (ctx.measureText(label).width + 4 * px > width) continue;
    ctx.fillStyle = colour(band.hadEffect ? 'on-fault' : 'ink');
    ctx.textAlign = 'left';
    ctx.fillText(label, injected + 3 * px, top + 7 * px);
  }
  ctx.restore();
}

export function drawStormEnd(plot: UPlot, stormEndSeconds: number): void {
  const { ctx, bbox } = plot;
  const x = plot.valToPos(stormEndSeconds, 'x', true);
  if (x < bbox.left || x > bbox.left + bbox.width) return;
  ctx.save();
  ctx.strokeStyle = colour('quiet');
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.restore();
}

export function barsHeight(bands: readonly Band[]): number {
  return bands.length === 0 ? 0 : (Math.max(...bands.map((band) => band.row)) + 1) * 15;
}

/** Writes the name of each line at its right end, so that colour is not needed to tell them. */
export function nameLines(plot: UPlot, chart: Chart): void {
  const { ctx, bbox } = plot;
  const px = devicePixelRatio;
  const names: { label: string; stroke: string; y: number }[] = [];
  for (const [at, series] of chart.series.entries()) {
    if (series.look.type === 'points' || plot.series[at + 1]?.show === false) continue;
    const [from, to] = plot.series[0]?.idxs ?? [0, chart.seconds.length - 1];
    const last = series.values.slice(from, to + 1).findLast((value) => value !== null);
    if (last === undefined || last === null) continue;
    const y = plot.valToPos(last, 'y', true);
    const inside = Math.min(bbox.top + bbox.height, Math.max(bbox.top, y));
    names.push({ label: series.label, stroke: series.colour, y: inside });
  }
  names.sort((a, b) => b.y - a.y);
  ctx.save();
  ctx.font = `${12 * px}px system-ui, sans-serif`;
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'left';
  let above = Number.POSITIVE_INFINITY;
  for (const { label, stroke, y } of names) {
    above = Math.min(y, above - 13 * px);
    ctx.fillStyle = colour(stroke);
    ctx.fillText(label, bbox.left + bbox.width + 5 * px, above, 40 * px);
  }
  ctx.restore();
}

/** The canvas is a picture with its caption for a name; the legend's names become buttons. */
export function makeAccessible(plot: UPlot, chart: Chart, captionId: string): void {
  plot.ctx.canvas.setAttribute('role', 'img');
  plot.ctx.canvas.setAttribute('aria-labelledby', captionId);
  const rows = plot.root.querySelectorAll<HTMLElement>('.u-legend .u-series');
  for (const [at, row] of [...rows].entries()) {
    const name = row.querySelector('th');
    if (name === null || at === 0) continue;
    name.tabIndex = 0;
    name.setAttribute('role', 'button');
    name.title = 'Show or hide';
    const series = chart.series[at - 1];
    if (series?.look.type === 'points') name.style.color = `var(--${series.colour})`;
    const isShown = (): string => String(plot.series[at]?.show !== false);
    name.setAttribute('aria-pressed', isShown());
    name.addEventListener('click', () => name.setAttribute('aria-pressed', isShown()));
    name.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      name.click();
    });
  }
}

/** A colour of the style sheet as the theme of the moment has it. */
export function colour(name: string): string {
  const probe = document.getElementById('colour-probe');
  if (probe === null) return 'gray';
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

/** The same by keyboard: to one fault, and back. */
export function startZoomMenu(data: ChartData, zoom: (from: number, to: number) => void): void {
  const tools = document.getElementById('chart-tools');
  const menu = tools?.querySelector('select') ?? null;
  if (tools === null || menu === null) return;
  tools.hidden = false;
  menu.addEventListener('change', () => {
    const { value } = menu;
    const band = data.bands.find((each) => String(each.number) === value);
    if (band === undefined) return zoom(0, data.endSeconds);
    const [from, , , to] = band.seconds;
    const margin = Math.max(0.5, (to - from) / 2);
    zoom(from - margin, to + margin);
    menu.value = value;
  });
  tools.querySelector('button')?.addEventListener('click', () => zoom(0, data.endSeconds));
}

/** After a drag the menu shows nothing, so that every fault can be chosen again. */
export function forgetChoice({ from, to }: TimeWindow, endSeconds: number): void {
  const menu = document.querySelector<HTMLSelectElement>('#chart-tools select');
  if (menu !== null) menu.selectedIndex = from === 0 && to === endSeconds ? 0 : -1;
}

/** The lanes of leaders are drawn in per cent of the run: widen and move them. */
export function zoomLanes({ from, to }: TimeWindow, endSeconds: number): void {
  const style = document.querySelector<HTMLElement>('.lanes')?.style;
  style?.setProperty('--zoom', String(endSeconds / (to - from)));
  style?.setProperty('--shift', String(from / (to - from)));
}

/** Canvases keep the colours they were drawn in; paper is always light. */
export function redrawOnThemeChange(plots: readonly UPlot[]): void {
  const redraw = (): void => {
    for (const plot of plots) plot.redraw(false);
  };
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  matchMedia('print').addEventListener('change', redraw);
}

export const CHART_FUNCTIONS: readonly ((...args: never[]) => unknown)[] = [
  startCharts,
  drawChart,
  isPlainMove,
  scaleOf,
  rangeFromZero,
  axesOf,
  seriesOptions,
  markersOf,
  pointPaths,
  drawBands,
  drawStormEnd,
  barsHeight,
  nameLines,
  makeAccessible,
  colour,
  startZoomMenu,
  forgetChoice,
  zoomLanes,
  redrawOnThemeChange,
];
