/** How the viewer looks, in the host's own colours; it is inside the viewer's shadow root. */

export const css = `
:host { display: flex; min-height: 0; outline: none; container-type: inline-size; }
* { box-sizing: border-box; }
.root {
    --ink: var(--component-node-foreground, var(--input-text, #ddd));
    --muted: var(--component-node-foreground-secondary, var(--descrip-text, #999));
    --field: var(--component-node-widget-background, var(--comfy-input-bg, #222));
    --field-over: var(--component-node-widget-background-hovered, var(--comfy-menu-secondary-bg, #333));
    --line: var(--component-node-border, var(--border-color, #4e4e4e));
    --strong: var(--primary-background, var(--p-primary-color, #0b8ce9));
    flex: 1; min-width: 0; min-height: 0; display: flex; flex-direction: column; gap: 6px;
    position: relative; color: var(--ink); font: 12px/1.35 Inter, system-ui, sans-serif;
    user-select: none;
}
button, select, input { font: inherit; color: inherit; margin: 0; }
button {
    background: none; border: 0; border-radius: 5px; padding: 0 7px; height: 24px; cursor: pointer;
    display: inline-flex; align-items: center; justify-content: center; gap: 5px; white-space: nowrap;
}
button:hover { background: var(--field-over); }
button:disabled { opacity: .4; cursor: default; background: none; }
button[aria-pressed=true], button[aria-checked=true], button[aria-expanded=true] { background: var(--field-over); }
:is(button, select, input, .stage):focus-visible { outline: 2px solid var(--strong); outline-offset: 1px; }
:host(:focus-visible) .stage { outline: 2px solid var(--strong); outline-offset: 1px; }
svg { width: 14px; height: 14px; fill: none; stroke: currentColor; stroke-width: 1.4; stroke-linecap: round; stroke-linejoin: round; }
.bar { display: flex; align-items: center; gap: 4px; flex: none; min-height: 24px; }
.group { display: inline-flex; background: var(--field); border-radius: 6px; }
.group button { padding: 0 9px; }
.group button.icon, .icon { padding: 0 6px; }
.space { flex: 1; }
.stage {
    flex: 1 1 0; min-height: 140px; position: relative; overflow: hidden; border-radius: 6px;
    background: var(--field); touch-action: none; cursor: crosshair;
}
.stage canvas { position: absolute; display: block; pointer-events: none; }
.outline { filter: drop-shadow(0 0 1px #000) drop-shadow(0 0 1px #000); }
.stage.pan { cursor: grab; } .stage.pan.dragging { cursor: grabbing; }
.split {
    position: absolute; top: 0; bottom: 0; width: 24px; margin-left: -12px; padding: 0; height: auto;
    border-radius: 0; cursor: ew-resize; touch-action: none; background: none !important;
}
.split::before { content: ""; width: 2px; height: 100%; background: #fff; box-shadow: 0 0 3px #000; }
.split::after {
    content: ""; position: absolute; top: 50%; width: 14px; height: 26px; margin-top: -13px;
    border-radius: 7px; background: #fff; box-shadow: 0 0 4px #000a;
}
.tag {
    position: absolute; top: 6px; padding: 1px 6px; border-radius: 4px; background: #000a; color: #fff;
    font-size: 11px; pointer-events: none;
}
.tag.left { left: 6px; } .tag.right { right: 6px; }
.note {
    position: absolute; inset: 0; display: flex; align-items: center; justify-content: center;
    padding: 24px; text-align: center; color: var(--muted); text-wrap: balance;
}
.note.over { background: color-mix(in srgb, var(--field) 82%, transparent); color: var(--ink); }
.below { display: flex; flex-direction: column; gap: 6px; flex: 0 1 auto; min-height: 60px; overflow-y: auto; }
.legend { display: flex; flex-direction: column; gap: 1px; flex: none; }
.row {
    display: grid; grid-template-columns: 12px minmax(4em, 26%) 1fr 3.6em; gap: 8px; padding: 0 7px;
    height: 22px; align-items: center; text-align: left; justify-content: stretch; flex: none;
    border: 1px solid transparent; border-radius: 5px;
}
.row .swatch { width: 10px; height: 10px; border-radius: 3px; background: var(--hue); }
.row[aria-pressed=true] .swatch { box-shadow: 0 0 0 2px var(--field), 0 0 0 3.5px var(--hue); }
.row .name { overflow: hidden; text-overflow: ellipsis; }
.row.shown .name { font-weight: 600; }
.row .track { height: 6px; border-radius: 3px; background: var(--field); overflow: hidden; }
.row .fill { height: 100%; width: 100%; transform-origin: left; background: var(--hue); border-radius: 3px; }
.row .number { text-align: right; font-variant-numeric: tabular-nums; }
.row.wins { border-color: var(--ink); }
div.row { color: var(--muted); } div.row .swatch { background: none; border: 1px dashed var(--muted); }
.status { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; color: var(--muted); }
.do { background: var(--field); }
.panel {
    display: grid; grid-template-columns: auto 1fr 4.6em; gap: 4px 10px; align-items: center; flex: none;
    background: var(--field); border-radius: 6px; padding: 8px 10px;
}
.panel label, .panel .label { color: var(--muted); white-space: nowrap; }
.panel output { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.panel select { grid-column: 2 / 4; background: var(--field-over); border: 0; border-radius: 4px; height: 22px; padding: 0 4px; min-width: 0; }
.panel select option { background: var(--comfy-input-bg, #222); color: var(--input-text, #ddd); }
.panel .wide { grid-column: 2 / 4; display: flex; gap: 8px; align-items: center; }
.panel .wide select { flex: 1; }
.panel .check { display: inline-flex; gap: 4px; align-items: center; color: var(--ink); }
input[type=range] {
    width: 100%; height: 16px; min-width: 0; cursor: pointer; appearance: none; background: none; border-radius: 5px;
    --rail: linear-gradient(var(--strong) 0 0) 0 / var(--at, 0%) 100% no-repeat, var(--field-over);
}
input::-webkit-slider-runnable-track { height: 4px; border-radius: 2px; background: var(--rail); }
input::-moz-range-track { height: 4px; border-radius: 2px; background: var(--rail); }
input::-webkit-slider-thumb { appearance: none; width: 12px; height: 12px; margin-top: -4px; border-radius: 50%; background: var(--strong); border: 0; }
input::-moz-range-thumb { width: 12px; height: 12px; border-radius: 50%; background: var(--strong); border: 0; }
.pair { position: relative; height: 16px; }
.pair input { position: absolute; inset: 0; pointer-events: none; --rail: none; }
.pair input::-webkit-slider-thumb { pointer-events: auto; }
.pair input::-moz-range-thumb { pointer-events: auto; }
.pair .rail, .pair .part { position: absolute; top: 6px; height: 4px; border-radius: 2px; }
.pair .rail { left: 0; right: 0; background: var(--field-over); } .pair .part { background: var(--strong); }
.menu {
    position: absolute; right: 0; top: 28px; z-index: 2; display: flex; flex-direction: column; padding: 4px;
    background: var(--comfy-menu-bg, #353535); border: 1px solid var(--line); border-radius: 7px; box-shadow: 0 4px 16px #0008;
}
.menu button { justify-content: flex-start; padding: 0 10px; height: 26px; }
.speed { background: var(--field); border: 0; border-radius: 5px; height: 22px; }
.count { color: var(--muted); font-variant-numeric: tabular-nums; white-space: nowrap; }
@container (max-width: 340px) {
    .group button { padding: 0 6px; } .group button.icon, .icon { padding: 0 4px; } .bar { gap: 2px; }
    .stage { min-height: 240px; } .speed { max-width: 5em; } .row { grid-template-columns: 12px minmax(4em, 34%) 1fr 3.2em; gap: 6px; padding: 0 4px; }
    .panel { grid-template-columns: auto 1fr 3.4em; padding: 8px 6px; gap: 4px 6px; }
}
@container (min-width: 680px) {
    .root.full {
        display: grid; grid-template: auto minmax(0, 1fr) auto / minmax(0, 1fr) minmax(240px, 32%);
        gap: 6px 12px;
    }
    .full .top { grid-area: 1 / 1 / 2 / 3; }
    .full .stage { grid-area: 2 / 1 / 4 / 2; }
    .full .below { grid-area: 2 / 2 / 3 / 3; }
    .full .foot { grid-area: 3 / 2 / 4 / 3; }
    .full .status { white-space: normal; }
}
[hidden] { display: none !important; }
@media (prefers-reduced-motion: no-preference) { .row .fill { transition: transform 80ms linear; } }
@media (forced-colors: active) {
    .row .fill, .row .swatch { forced-color-adjust: none; }
    button { border: 1px solid ButtonText; } .row.wins { border-color: Highlight; }
    :is(button[aria-pressed=true], button[aria-expanded=true]) { outline: 2px solid Highlight; outline-offset: -3px; }
    input[type=range] { --rail: CanvasText; } .pair .rail { background: GrayText; } .pair .part { background: CanvasText; }
    input::-webkit-slider-thumb { background: Highlight; forced-color-adjust: none; }
}
@media (prefers-contrast: more) { .root { --muted: var(--ink); } .row .track, .stage { outline: 1px solid var(--ink); } }
`;
