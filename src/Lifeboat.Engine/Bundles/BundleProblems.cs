using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Bundles;

/// <summary>What a bundle that cannot be read is said to have.</summary>
internal static class BundleProblems
{
    private const string OtherSnapshot = "use another snapshot, or another copy of this one: its bytes are not what was written";

    public static LifeboatException Damaged(string what, string? where = null, Exception? inner = null) =>
        new(ErrorCodes.BundleDamaged, $"the bundle is damaged: {what}", OtherSnapshot, where, inner);

    public static LifeboatException NotABundle(string why, string? where = null) => new(
        ErrorCodes.NotABundle,
        $"this is not a Lifeboat bundle: {why}",
        "name a bundle that `lifeboat backup` wrote; `lifeboat list` shows them",
        where);

    public static LifeboatException UnsafeName(string why, string where) => new(
        ErrorCodes.EntryNameUnsafe,
        $"the bundle has an entry that no snapshot has: {why}",
        "do not unpack it with other tools either; use a bundle that `lifeboat backup` wrote",
        where);

    public static LifeboatException WrongPassword(string? where = null) => new(
        ErrorCodes.WrongPassword,
        "the password does not open this bundle",
        "give the password that was set when this bundle was made; a later one does not open it",
        where);

    public static LifeboatException PasswordNeeded(string? where = null) => new(
        ErrorCodes.WrongPassword,
        "the bundle is encrypted and no password was given",
        "set the variable LIFEBOAT_PASSWORD, or `encryption.password` in the app file",
        where);

    /// <summary>A name as it may stand in a message: without control characters.</summary>
    public static string Printable(string name)
    {
        string text = string.Concat(name.Select(static c => char.IsControl(c) || char.IsSurrogate(c) ? '\uFFFD' : c));
        return text.Length <= 200 ? text : text[..200] + "…";
    }
}
