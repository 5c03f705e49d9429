export { ConsoleModule } from './console.module.js';
export { SignInCode } from './sign-in-code.js';
