/** The live page: a cluster in this very page, its buttons, and the exercises. */
import { SEED_BOUND } from '../../seeded-random.ts';
import { EXERCISES } from '../exercises.ts';
import { byId } from './dom.ts';
import { ExerciseCard } from './exercise-card.ts';
import { LiveSource } from './live-source.ts';
import { NodeControls } from './node-controls.ts';
import { RequestsView } from './requests-view.ts';
import { Scope } from './scope.ts';

class LivePage {
  readonly #exercise = byId('exercise', HTMLSelectElement);
  readonly #members = byId('members', HTMLSelectElement);
  readonly #seed = byId('seed', HTMLInputElement);
  readonly #careful = byId('careful', HTMLInputElement);
  readonly #requests = new RequestsView(
    byId('requests', HTMLOListElement),
    byId('no-requests', HTMLParagraphElement),
  );
  readonly #card = new ExerciseCard(byId('exercise-card', HTMLDivElement));
  readonly #scope: Scope;
  #source: LiveSource;
  #controls: NodeControls;

  constructor() {
    this.#source = this.#newSource();
    this.#scope = new Scope(this.#source, { live: true });
    this.#controls = this.#newControls();
    this.#scope.onFrame = () => this.#frame();
    const form = byId('settings', HTMLFormElement);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#reset();
    });
    for (const choice of [this.#exercise, this.#members, this.#careful]) {
      choice.addEventListener('change', () => this.#reset());
    }
    this.#scope.setPlaying(true);
  }

  #reset(): void {
    this.#source = this.#newSource();
    this.#scope.show(this.#source);
    this.#controls = this.#newControls();
    this.#scope.setPlaying(true);
  }

  /** An exercise brings its number of members, and is played as the server would. */
  #newSource(): LiveSource {
    const exercise = EXERCISES.find(({ id }) => id === this.#exercise.value);
    if (exercise !== undefined) {
      this.#members.value = String(exercise.members);
      this.#careful.checked = true;
    }
    this.#members.disabled = exercise !== undefined;
    this.#careful.disabled = exercise !== undefined;
    const seed = this.#seed.valueAsNumber;
    const valid = Number.isInteger(seed) && seed >= 0 && seed < SEED_BOUND;
    if (!valid) this.#seed.value = '1';
    const memberCount = Number(this.#members.value);
    const careful = this.#careful.checked;
    return new LiveSource({ memberCount, seed: valid ? seed : 1, careful }, exercise);
  }

  #newControls(): NodeControls {
    return new NodeControls(byId('ring', HTMLDivElement), this.#source.cluster, (words) => {
      this.#scope.say(words);
    });
  }

  #frame(): void {
    this.#controls.draw(this.#scope.atEnd);
    this.#requests.draw(this.#source.cluster.requests);
    this.#card.draw(this.#source.exercise);
  }
}

new LivePage();
