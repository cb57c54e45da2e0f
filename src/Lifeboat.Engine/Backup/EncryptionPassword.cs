using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Secrets;

namespace Lifeboat.Engine.Backup;

/// <summary>The password for a new bundle, with the warnings that belong to it.</summary>
internal static class EncryptionPassword
{
    public static Problem NotEncrypted => new(
        ErrorCodes.Unencrypted,
        "the bundle is not encrypted: whoever can read it can read everything in it, password hashes included",
        "set `encryption: {password: \"file:lifeboat.passphrase\"}` in the app file",
        "encryption");

    public static async Task<Secret?> ResolveAsync(App app, ISecretResolver secrets, RunContext context, CancellationToken cancellation)
    {
        if (app.Password is null)
        {
            context.Progress.Report(new Warned(null, NotEncrypted));
            return null;
        }

        Secret password = await secrets.ResolveAsync(app.Password, cancellation);
        if (PassphraseStrength.Check(password, "encryption.password") is { } weakness)
            context.Progress.Report(new Warned(null, weakness));
        return password;
    }
}
