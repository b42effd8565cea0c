/** The settings page, and what new nodes take from it. */
import * as host from "./host.mjs";
import { NAMES } from "./viewer/colours.mjs";

const NAME = "concept_attention";
const PAGE = "Concept Attention";

/** What the settings page shows; its texts in other languages are in locales/. */
const settings = [
    {
        id: `${NAME}.colormap`,
        name: "Colour map of new viewers and overlays",
        category: [PAGE, "Looks", "colormap"],
        type: "combo",
        options: NAMES,
        defaultValue: "inferno",
        tooltip:
            "inferno, viridis, magma and cividis rise evenly in brightness; cividis suits " +
            "colour-blind eyes best.",
    },
    {
        id: `${NAME}.opacity`,
        name: "Opacity of new viewers and overlays",
        category: [PAGE, "Looks", "opacity"],
        type: "slider",
        attrs: { min: 0, max: 1, step: 0.05 },
        defaultValue: 0.7,
        tooltip: "0 shows the picture alone, 1 the heatmap alone.",
    },
    {
        id: `${NAME}.live_maps`,
        name: "Live maps in new samplers",
        category: [PAGE, "Sampling", "live_maps"],
        type: "combo",
        options: ["off", "segments", "concept"],
        defaultValue: "off",
        tooltip: "What new capture samplers show in their preview while they sample.",
    },
];

/** Node types and which of their widgets a new one takes from the settings. */
const WIDGETS = /** @type {Record<string, string[]>} */ ({
    ConceptAttentionSampler: ["live_maps"],
    ConceptAttentionSamplerCustom: ["live_maps"],
    ConceptAttentionImage: ["live_maps"],
    ConceptAttentionOverlay: ["colormap", "opacity"],
});

/** @type {import("./parts.mjs").Part[]} */
export const settingsParts = [
    { settings },
    ...Object.entries(WIDGETS).map(([node, names]) => ({
        node,
        created: (/** @type {any} */ made) => {
            if (host.isOpening()) return; // a workflow is as its author left it
            for (const name of names) {
                const value = host.setting(`${NAME}.${name}`);
                if (value !== undefined) host.setWidget(made, name, value);
            }
        },
    })),
];
