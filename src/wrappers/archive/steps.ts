/** Points at which a crash must lose nothing: the crash proofs stop the process at each of them. */

export type Step =
  | "id drawn" //             a writer id is drawn, `writers` is not synced yet
  | "id synced"
  | "joined" //               an operation is in the open group
  | "sealed" //               evaluated and stamped; nothing of it is on any disk
  | "intent" //               the upload is known to the disk
  | "sending" //              the request goes out
  | "chunk" //                another part of an upload was taken
  | "stored" //               the answer came: stored
  | "committed" //            learned, the intent is gone; nobody has been told
  | "resolved" //             the calls of the group have their answers
  | "solo stamped" //         the body has ended, the stamp is committed, the manifest is not sent yet
  | "taken" //                foreign bytes are own now, the copy or move is still to come
  | "repack read" //          bytes of the sources are read
  | "repack stored" //        stored, not committed
  | "unneeded" //             an archive is marked, its grace begins
  | "delete sent" //          committed, the request not sent
  | "deleted" //              the answer came, not committed
  | "claim stored" //         stored, not committed
  | "listed page" //          between pages of a listing
  | "learned" //              one archive of a refresh or rebuild is learned
  | "upgraded"; //            tables are made, the version is not written yet

/** Called at each step, synchronously. Throws or ends the process in proofs; does nothing otherwise. */
export type StepHook = (step: Step) => void;

export const noSteps: StepHook = () => {};
