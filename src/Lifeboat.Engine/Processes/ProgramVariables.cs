namespace Lifeboat.Engine.Processes;

/// <summary>
/// The variables that programs started by Lifeboat inherit. It is a list of what they need to run in their user's place, not of what they must not have: what
/// Lifeboat itself was given, above all its secrets, goes no further unless the app file names it.
/// </summary>
internal static class ProgramVariables
{
    /// <summary>What every program gets; <c>*</c> at the end stands for anything.</summary>
    private static readonly string[] s_usual =
    [
        "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "LC_*", "TZ", "TMPDIR", "LD_LIBRARY_PATH",
        "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "DBUS_SESSION_BUS_ADDRESS", "SSH_AUTH_SOCK",
        "SSL_CERT_FILE", "SSL_CERT_DIR", "KRB5CCNAME", "KRB5_CONFIG",
        "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "DOCKER_API_VERSION", "CONTAINER_HOST", "KUBECONFIG",
    ];

    /// <summary>What programs on Windows do not start without.</summary>
    private static readonly string[] s_windows =
    [
        "SystemRoot", "SystemDrive", "windir", "ComSpec", "PATHEXT", "OS", "TEMP", "TMP", "USERNAME", "USERDOMAIN", "USERPROFILE", "COMPUTERNAME", "HOMEDRIVE",
        "HOMEPATH", "APPDATA", "LOCALAPPDATA", "ALLUSERSPROFILE", "ProgramData", "ProgramFiles*", "CommonProgramFiles*", "ProgramW6432", "PUBLIC",
        "NUMBER_OF_PROCESSORS", "PROCESSOR_*",
    ];

    /// <summary>Takes away what a program is not to inherit.</summary>
    /// <param name="more">Names that this one gets besides.</param>
    public static void Narrow(IDictionary<string, string?> environment, IReadOnlyList<string> more)
    {
        foreach (string name in environment.Keys.Where(name => !IsIn(s_usual, name) && !IsIn(more, name) && !(OperatingSystem.IsWindows() && IsIn(s_windows, name))).ToArray())
            environment.Remove(name);
    }

    private static bool IsIn(IReadOnlyList<string> names, string name)
    {
        StringComparison comparison = OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        return names.Any(one => one.EndsWith('*') ? name.StartsWith(one[..^1], comparison) : name.Equals(one, comparison));
    }
}
