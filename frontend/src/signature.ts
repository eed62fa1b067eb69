// The customer's signature, drawn with finger, pen or mouse; kept as strokes in a hidden field, small enough for a fact.

type Point = [number, number];
const WIDTH = 300;
const HEIGHT = 100;
const LONGEST = 6000;

/** Alpine component; the canvas and the hidden field are its refs. */
export function signaturePad(): object {
  return {
    strokes: [] as Point[][],
    drawing: false,
    init(this: Pad) {
      const canvas = this.$refs.canvas;
      canvas.width = WIDTH * 2;
      canvas.height = HEIGHT * 2;
      // A form that came back with something to mend keeps what was signed.
      this.strokes = strokesOf(this.$refs.field.value);
      draw(canvas, this.strokes);
      canvas.addEventListener("pointerdown", (event) => {
        canvas.setPointerCapture(event.pointerId);
        this.drawing = true;
        this.strokes.push([placeOf(canvas, event)]);
      });
      canvas.addEventListener("pointermove", (event) => {
        if (!this.drawing) return;
        const stroke = this.strokes[this.strokes.length - 1];
        const [x, y] = placeOf(canvas, event);
        const last = stroke?.[stroke.length - 1];
        if (!stroke || !last || Math.abs(last[0] - x) + Math.abs(last[1] - y) < 2) return;
        stroke.push([x, y]);
        draw(canvas, this.strokes);
      });
      const end = (): void => {
        this.drawing = false;
        this.$refs.field.value = pathOf(this.strokes);
      };
      canvas.addEventListener("pointerup", end);
      canvas.addEventListener("pointercancel", end);
    },
    clear(this: Pad) {
      this.strokes = [];
      this.$refs.field.value = "";
      draw(this.$refs.canvas, []);
    },
  };
}

interface Pad {
  strokes: Point[][];
  drawing: boolean;
  $refs: { canvas: HTMLCanvasElement; field: HTMLInputElement };
}

function placeOf(canvas: HTMLCanvasElement, event: PointerEvent): Point {
  const box = canvas.getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * WIDTH;
  const y = ((event.clientY - box.top) / box.height) * HEIGHT;
  return [Math.max(0, Math.min(WIDTH, Math.round(x))), Math.max(0, Math.min(HEIGHT, Math.round(y)))];
}

function draw(canvas: HTMLCanvasElement, strokes: Point[][]): void {
  const pen = canvas.getContext("2d");
  if (!pen) return;
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.lineWidth = 4;
  pen.lineCap = pen.lineJoin = "round";
  pen.strokeStyle = getComputedStyle(canvas).color;
  for (const stroke of strokes) {
    pen.beginPath();
    stroke.forEach(([x, y], index) => (index ? pen.lineTo(x * 2, y * 2) : pen.moveTo(x * 2, y * 2)));
    pen.stroke();
  }
}

function strokesOf(path: string): Point[][] {
  return (path.match(/M[^M]+/g) ?? []).map((stroke) =>
    [...stroke.matchAll(/(\d+) (\d+)/g)].map(([, x, y]): Point => [Number(x), Number(y)]),
  );
}

/** An SVG path, thinned out until it fits. */
function pathOf(strokes: Point[][]): string {
  for (let step = 1; step < 9; step += 1) {
    const path = strokes
      .map((stroke) => stroke.filter((_, index) => index % step === 0 || index === stroke.length - 1))
      .map((stroke) => `M${stroke.map(([x, y]) => `${x} ${y}`).join("L")}`)
      .join("");
    if (path.length <= LONGEST) return path;
  }
  return "";
}
