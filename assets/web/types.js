// No code: the shapes of what passes between Gradio, Python and these scripts, for readers and for tsc.

/**
 * What Gradio gives a component of type gr.HTML.
 * @typedef {object} Component
 * @property {Record<string, any>} props  value and whatever else Python set; setting value tells Python
 * @property {(event: string, data?: object) => void} trigger  sends an event to Python
 * @property {(props: string | string[], listener: () => void) => void} watch  calls back after Python's sets
 * @property {Record<string, (asked: object) => Promise<any>>} server  Python functions that answer at once
 */

/**
 * What is on the canvas: PNG data URLs, `picture` and `keep` of 512 x 512 pixels. In `keep`, '' where nothing
 * is marked, black must stay as it is and white is free. `source` is a picture that was brought, in its own
 * shape and pixels, '' where there is none or it was painted on. The value of a blank canvas is ''.
 * @typedef {{ picture: string, keep: string, source: string } | ''} CanvasValue
 */

/**
 * What a picture was made from; `model` is the name of a checkpoint.
 * @typedef {object} Settings
 * @property {string} model
 * @property {Record<string, string>} labels  label kind -> name
 * @property {number} strength
 * @property {number} steps
 * @property {number} guidance
 * @property {number} eta
 * @property {number} temperature
 * @property {number} steering
 * @property {number} seed
 * @property {boolean} colour
 * @property {boolean} enlarge
 * @property {boolean} lines
 */

/**
 * One step of a run: data URLs of pictures side by side, clean ones as the network sees them and noisy ones.
 * @typedef {{ say: string, x0: string, x: string }} Frame
 */

/**
 * Where pictures of a run stand in the drawing: left, top and side in shares of the canvas.
 * @typedef {[left: number, top: number, side: number]} Box
 */

/** @typedef {[width: number, height: number]} Shape  of the drawing in its middle, in such shares */

/**
 * A finished picture: the k-th of the run that began as number `of`.
 * @typedef {{ of: number, k: number, lined: boolean, picture: string, name: string, link: string }} Finished
 */

/**
 * What Python tells result/main.js, one at a time, as diffusion/page/messages.py has it; `run` is the newest
 * run's number, and the nonce makes two messages that say the same differ.
 * @typedef {(Notice | Frames | Done | Chosen | Download) & { nonce: number }} Message
 *
 * A run is asked for; or refused or called off, and the earlier result stays.
 * @typedef {{ phase: 'wait' | 'idle', run: number, say: string }} Notice
 *
 * Whose frames: the run that began as number `start`; `run` may be higher where Stop raised it since.
 * @typedef {{ run: number, say: string, start: number, count: number, box: Box, shape: Shape,
 *   lined: boolean, progress: number }} Place
 * @typedef {Place & { phase: 'run', frames: Frame[] }} Frames
 *
 * The run has ended; its drawing was sent with the run `drawn`. One picture comes finished, of several the
 * person chooses one.
 * @typedef {Place & { phase: 'done', settings: Settings, drawn: number, name: string }
 *   & (Finished | { picture?: undefined })} Done
 * @typedef {Finished & { phase: 'chosen', run: number, say: string, settings: Settings }} Chosen
 *
 * A file that was asked for, a data URL: the animation, or the finished picture with more pixels.
 * @typedef {{ phase?: undefined, gif?: string, large?: string }} Download
 */

/**
 * A run with all its frames, as the player shows it and the gallery keeps it.
 * @typedef {object} Run
 * @property {number} start  its number
 * @property {number} count  pictures in each frame
 * @property {Box} box
 * @property {Shape} shape
 * @property {boolean} lined  the drawing's lines are over the picture
 * @property {Frame[]} frames
 * @property {Finished | null} done  the finished picture; null before, and while several stand for choice
 * @property {number | null} k  which of several is shown alone
 * @property {string} name  of a file, without an extension
 * @property {number} drawn  the run with which its drawing was sent
 * @property {CanvasValue | undefined} drawing
 */

/** @typedef {Run & { settings: Settings, thumb: string }} KeptRun  `thumb`: a data URL */

export {};
