/** The pack's interface in ComfyUI: its parts, each a folder here. */
import { encoderPart } from "./encoder/index.mjs";
import { register } from "./parts.mjs";
import { resultPart } from "./result/index.mjs";
import { settingsParts } from "./settings.mjs";
import { viewerPart } from "./viewer/index.mjs";

register([viewerPart, encoderPart, resultPart, ...settingsParts]);
