/** Why bubblewrap does not work on a machine, and what to allow: from its own words and the kernel's settings. */

export interface Obstacle {
  readonly why: string;
  readonly hint: string;
}

/** Kernel settings by their names in sysctl(8); undefined where the kernel does not have one. */
export interface KernelSettings {
  readonly 'user.max_user_namespaces'?: string | undefined;
  readonly 'kernel.unprivileged_userns_clone'?: string | undefined;
  readonly 'kernel.apparmor_restrict_unprivileged_userns'?: string | undefined;
}

export const notInstalled: Obstacle = {
  why: 'bubblewrap is not installed',
  hint: 'Install it with the system’s packages: apt install bubblewrap, dnf install bubblewrap, apk add bubblewrap.',
};

export const noSeatbelt: Obstacle = {
  why: 'sandbox-exec is missing',
  hint: 'It is part of macOS, as /usr/bin/sandbox-exec.',
};

export const noFenceHere: Obstacle = {
  why: 'there is none for this system',
  hint: 'Linux has bubblewrap, macOS seatbelt. Elsewhere start dbguard in a container or a virtual machine.',
};

export function whyNot(stderr: string, kernel: KernelSettings, inContainer: boolean): Obstacle {
  if (kernel['user.max_user_namespaces'] === '0') return forbidden('sysctl -w user.max_user_namespaces=15000');
  if (kernel['kernel.unprivileged_userns_clone'] === '0')
    return forbidden('sysctl -w kernel.unprivileged_userns_clone=1');
  if (inContainer) {
    return {
      why: 'this container forbids namespaces to bubblewrap',
      hint: 'Start the container with --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined, or keep the real password and everything else that the agent must not have outside of it.',
    };
  }
  if (kernel['kernel.apparmor_restrict_unprivileged_userns'] === '1') {
    return {
      why: 'AppArmor forbids user namespaces to bubblewrap',
      hint: 'Load the profile that allows them to it alone (Ubuntu: apt install apparmor-profiles, then link /usr/share/apparmor/extra-profiles/bwrap-userns-restrict into /etc/apparmor.d and reload apparmor).',
    };
  }
  const [said = ''] = stderr.trim().split('\n');
  return {
    why: `bubblewrap does not work here${said === '' ? '' : `: ${said.replace(/^bwrap: /, '')}`}`,
    hint: 'Try it by itself: bwrap --unshare-user --unshare-pid --ro-bind / / --proc /proc true',
  };
}

function forbidden(allow: string): Obstacle {
  return { why: 'the kernel forbids user namespaces', hint: `Allow them: ${allow}` };
}
