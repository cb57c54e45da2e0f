using Lifeboat.Engine.Apps.Validation;

namespace Lifeboat.Engine.Apps.Detection;

/// <summary>Writes paths into an app file: relative where they lie beside or below it, absolute elsewhere.</summary>
internal static class WrittenPath
{
    public static string Of(string directory, string fullPath)
    {
        string path = AppPaths.Inside(directory, fullPath) ?? fullPath;

        // A first character that the app file's rules could take for something else is made plain by "./".
        return char.IsAsciiLetterOrDigit(path[0]) || path[0] is '.' or '_' or '/' ? path : "./" + path;
    }
}
